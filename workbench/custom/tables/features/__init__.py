"""Numbers that a network receives instead of a column's cells, as frozen plain data.

Each class has the methods ``fit(column, rows)``, on the training rows of a column, and
``transform(column)``, which converts all rows of a column to float32 [rows, features].
"""
