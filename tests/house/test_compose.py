"""compose.yaml cannot be started where no container engine is: it is held to the schema and to our own commands."""

import json
from pathlib import Path

import pytest
import typer
import yaml
from jsonschema import Draft7Validator

from backend.cli import app
from backend.settings import Settings

PROJECT = Path(__file__).parents[2]
COMPOSE = yaml.safe_load((PROJECT / "compose.yaml").read_text())
SCHEMA = json.loads((Path(__file__).parent / "compose-schema.json").read_text())
COMMANDS = typer.main.get_command(app)


def test_the_file_follows_the_compose_specification():
    errors = [f"{list(error.path)}: {error.message}" for error in Draft7Validator(SCHEMA).iter_errors(COMPOSE)]

    assert errors == []


@pytest.mark.parametrize("service", ["migrate", "web", "worker"])
def test_every_container_runs_a_command_that_the_program_has(service):
    program, name, *_ = COMPOSE["services"][service]["command"]

    assert program == "jiqiao"
    assert name in COMMANDS.commands


def test_every_setting_given_to_containers_exists():
    given = {name.lower() for name in COMPOSE["x-settings"]}

    assert given <= set(Settings.model_fields)
