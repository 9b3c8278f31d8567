"""Optional models of installed packages, and worked examples."""
