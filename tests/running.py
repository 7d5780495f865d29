"""How tests run a command of the program in their own process."""

from click.testing import CliRunner, Result

from pipeline.cli import main


def run(*arguments: object, typed: str | None = None, expect: int = 0) -> Result:
    """Return what a command said and did; an error that is not told in words is raised."""
    result = CliRunner().invoke(main, [str(argument) for argument in arguments], input=typed)
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == expect, result.output
    return result
