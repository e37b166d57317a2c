"""How the shipped finder is made: drawn and licensed images in, arrays and a card out."""
