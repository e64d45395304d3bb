"""The make-up mirror: products on a face as editable layers, never a repainted face."""
