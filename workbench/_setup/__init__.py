"""What the Makefile's verbs need before they run: a virtual environment, a browser, a bundle.

Only the standard library is used here, because this runs before anything is installed.
It belongs to the repository and is left out of the wheel.
"""
