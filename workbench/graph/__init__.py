"""Dependencies within a module: channel groups, foldable norms, layer inputs."""
