"""What depends on what in a module: channel groups, foldable norms, layer inputs."""
