"""What happens to work that nobody saved: it is kept while one works, and offered after a crash."""
