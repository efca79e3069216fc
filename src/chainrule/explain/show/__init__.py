"""How derivations look: `tables.py` says what stands in which cell; the other files set it.

Text for terminals, Markdown with LaTeX, and pages of HTML.
"""

from .html import html
from .markdown import markdown
from .tables import sections
from .text import rich_tables, text

__all__ = ["html", "markdown", "rich_tables", "sections", "text"]
