"""Customer segments: features per rubro, stable clusters, names that stay, who moved where."""
