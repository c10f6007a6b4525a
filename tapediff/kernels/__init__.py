"""Formulas and structural rules made executable."""
