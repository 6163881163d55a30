"""What Evict is measured beside. Each file is a program that imports nothing of Evict."""
