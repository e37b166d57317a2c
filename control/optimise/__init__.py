"""Plan search on the queue model: one search per file."""
