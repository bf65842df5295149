"""The app: a chat with the tree of its cache beside it. Everything here needs textual, and nothing here needs torch."""
