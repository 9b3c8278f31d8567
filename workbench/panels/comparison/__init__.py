"""The comparison tab: views of the original model and the compressed file side by side."""
