"""python -m iicnet_jax, the same as the `iicnet` command."""

from iicnet_jax.cli import main

if __name__ == "__main__":
    main()
