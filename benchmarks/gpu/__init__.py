"""What only a GPU can show; `run.sh` does all of it in one go."""
