"""The tokenizer of a text encoder: whole, and of that encoder."""

from pathlib import Path
from typing import Any

from inversion.errors import ModelError
from inversion.file_types import check_head
from inversion.libraries import told_in_one_line

CONFIGURATION = "tokenizer_config.json"
ONE_FILE, TWO_FILES = "tokenizer.json", ("vocab.json", "merges.txt")  # either holds a vocabulary
UNKNOWN_LENGTH = 10**9  # tokens: the library says that there is no limit by a number beyond this
LETTER = "a"  # every vocabulary of CLIP has it


def load_tokenizer(folder: Path, part: str, name: str) -> Any:
    """The CLIP tokenizer in the folder of a `part` of the model called `name`.

    Raises:
        ModelError: files of it are missing or damaged.
    """
    from transformers import CLIPTokenizer

    found = {path.name for path in (folder / part).glob("*")}
    if ONE_FILE not in found:
        missing = [file for file in TWO_FILES if file not in found]
        if missing:
            raise ModelError(
                f'"{name}" has no whole vocabulary of its {part}: {" and ".join(missing)} missing in {folder / part}; '
                "fetch the model again"
            )
    if CONFIGURATION not in found:
        raise ModelError(f'"{name}": {CONFIGURATION} is missing in {folder / part}; fetch the model again')
    for file in (CONFIGURATION, ONE_FILE, *TWO_FILES):
        if file in found:
            check_head(folder / part / file, name)
    with told_in_one_line(name, folder / part):
        return CLIPTokenizer.from_pretrained(folder, subfolder=part, local_files_only=True, trust_remote_code=False)


def check_tokenizer(tokenizer: Any, network: Any, name: str) -> None:
    """Check that a tokenizer and the text encoder `network` of the model called `name` belong together.

    Raises:
        ModelError: the encoder has no place or no embedding for what the tokenizer gives it, or the tokenizer knows no
            letters.
    """
    config, length = network.config, tokenizer.model_max_length
    known = type(length) is int and length < UNKNOWN_LENGTH
    if not (known and 2 < length <= config.max_position_embeddings):
        said = f"{length} tokens" if known else "no number of tokens (model_max_length)"
        raise ModelError(
            f'"{name}": its tokenizer says that a prompt has {said}, and its text encoder reads '
            f"{config.max_position_embeddings}; they are of different models, or {CONFIGURATION} is damaged"
        )
    highest = max(tokenizer.get_vocab().values(), default=-1)
    if highest >= config.vocab_size:
        raise ModelError(
            f'"{name}": its tokenizer gives tokens up to {highest}, and its text encoder knows {config.vocab_size}; '
            "they are of different models"
        )
    try:
        letters = tokenizer(LETTER, add_special_tokens=False).input_ids
    except Exception:  # the library has no class for a vocabulary without its marks
        letters = []
    if not letters or tokenizer.unk_token_id in letters:
        raise ModelError(f'"{name}": the vocabulary of its tokenizer knows no letters; fetch the model again')
