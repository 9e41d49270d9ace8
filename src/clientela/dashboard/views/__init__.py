"""What Streamlit draws, one view per question; thin."""
