"""Charts as Vega-Lite, drawn by the browser from what Streamlit ships, without any network."""
