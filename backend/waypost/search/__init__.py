"""Finding tickets again: views people save, share and pin, always within what the reader may see."""
