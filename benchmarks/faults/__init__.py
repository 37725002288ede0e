"""What becomes of intents while everything is being killed, emptied, doubled and delayed."""
