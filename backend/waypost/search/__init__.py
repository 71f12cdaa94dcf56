"""Finding tickets: by words, and by views people save, share and pin, always within what the reader may see."""
