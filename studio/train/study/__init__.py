"""What somebody looks at of a model that trains: who trains what, values, gates, and stops."""
