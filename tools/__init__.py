"""Programs that make what is shipped beside the code: documentation, pictures, the single file."""
