"""What is proposed when a file, or columns of the table, is dropped; accepted by one click."""
