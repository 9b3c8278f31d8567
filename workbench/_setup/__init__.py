"""Set-up for the Makefile's targets: a virtual environment, a browser, JavaScript tools, wheels.

It uses only the standard library, because it runs before anything is installed. It belongs to the
repository and is not part of the wheel.
"""
