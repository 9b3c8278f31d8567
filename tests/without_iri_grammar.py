"""A plugin that pytest loads first: jsonschema does without a package that takes 2 s to import.

It compiles the grammar of internationalized addresses, which no schema of Jupyter has; nbval loads
it in every process.
"""

import sys

sys.modules.setdefault("rfc3987_syntax", None)
