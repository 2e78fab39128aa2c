"""Verdicts: claims and their rules, the ledger, the multiverse, and a card as text."""
