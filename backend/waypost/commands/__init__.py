"""What the command line can do: start it all (`running`), be one part of it (`serving`), or look after what is there
(`tending`); on common `ground`. `cli` is the door.
"""
