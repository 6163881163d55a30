"""What Evict decides: who is revoked, when a request may leave, what an answer means."""
