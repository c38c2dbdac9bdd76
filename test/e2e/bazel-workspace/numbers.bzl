"""How many generated modules there are."""

MODULES = range(16)
