"""The file: container, header, ledger."""
