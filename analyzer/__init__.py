"""wfp-analyzer: why Windows blocked network traffic, told from exported files."""
