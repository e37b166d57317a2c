"""One method per file; each fills `traffic.ports.Controller` with its state in the open."""
