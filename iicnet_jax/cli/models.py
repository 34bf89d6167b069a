"""iicnet models: lists the bundled models and their measured quality."""

from iicnet_jax.cli.arguments import add_command, show


def add_commands(commands) -> None:
    """models."""
    models = add_command(
        commands, "models", _models, "list the models that come with this installation"
    )
    models.add_argument("--json", action="store_true", help="print the result as JSON")


def _models(arguments):
    from iicnet_jax.cli import model_table

    found = model_table.describe_all()
    show(found, [model_table.as_text(found)], arguments.json)
