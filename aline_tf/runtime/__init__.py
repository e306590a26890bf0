"""What the process needs around the work: whole files, memory that is kept, a quiet start."""
