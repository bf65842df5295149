"""What people run: the engine, conversations, and the command line."""
