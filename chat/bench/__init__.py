"""`radixchat bench`: ratios of two arms in one process, beside the goals they are held against."""
