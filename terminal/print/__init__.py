"""Paper: notices and receipts laid out in hal's neutral blocks, and a font for what the printer's own cannot draw."""
