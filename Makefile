# Four habits. Each makes its own environment in .venv first, and again when the dependencies change.

PYTHON ?= python3
BIN := .venv/bin
READY := .venv/ready
NAME := .link/radixchat

.DEFAULT_GOAL := help
.PHONY: help chat test check fix

help:  ## list the targets
	@sed -n 's/^\([a-z]*\):.*  ## /make \1\t/p' $(MAKEFILE_LIST) | expand -t 14

chat: $(READY)  ## open the chat, on the bundled model
	@$(BIN)/radixchat

test: $(READY)  ## run the tests
	@$(BIN)/pytest

check: $(READY) $(NAME)  ## lint, formatting, types and the floors of the house
	@$(BIN)/ruff check --quiet
	@$(BIN)/ruff format --check --quiet
	@MYPYPATH=.link $(BIN)/mypy -p radixchat.radix -p radixchat.viz
	@$(BIN)/lint-imports --no-logo

fix: $(READY)  ## mend what ruff can, and format
	@$(BIN)/ruff check --fix --exit-zero --quiet
	@$(BIN)/ruff format --quiet

$(READY): pyproject.toml constraints.txt
	@echo "installing into .venv (the first time fetches PyTorch, which takes a while)"
	@$(PYTHON) -m venv .venv
	@$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[chat,dev]'
	@touch $@

# The root is the package, but its folder has another name: tools that cannot see an editable install look here.
$(NAME):
	@mkdir -p $(@D) && ln -s .. $@
