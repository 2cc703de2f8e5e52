"""How columns come to ports, and which rows validate: what the Data panel lets one edit."""
