"""The record of every revocation, on this machine."""
