"""The compressed file: container, header, ledger."""
