"""Looking after a folder of pictures: what is wrong with it, a clean copy, more of it, and its parts."""
