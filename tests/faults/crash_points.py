"""Named points at which a worker can be killed, compiled into the path of an order in the process that asks for them.

No source carries them: before every statement of the functions below a call is inserted in their syntax tree, and the
code of the living functions is replaced by what that compiles to. A point is named ``module:function:line``.
"""

from __future__ import annotations

import ast
import inspect
import os
import signal
from collections.abc import Iterator, Mapping
from importlib import import_module
from types import CodeType, FunctionType, ModuleType

#: What runs between a delivered alert and its guarded position, and between a wish of a person and the position as
#: wished; and what finds out where an answer was lost.
PATH: Mapping[str, tuple[str, ...]] = {
    "app.services.intake": ("store", "_store_together", "_link_duplicates"),
    "app.services.alerts": ("process", "_ask", "_conclude"),
    "app.services.alert_acts": ("write_down", "_place"),
    "app.services.orders": ("place", "record"),
    "app.services.connections": ("calling",),
    "app.services.execution": (
        "submit",
        "take",
        "_taken",
        "send",
        "guard",
        "_bring_about",
        "_next_round",
        "_send_and_book",
        "holds_claim",
        "book",
        "cancel",
        "_cancel_and_book",
        "_rests_on",
        "_cancel",
        "_goes_on",
        "_claim",
        "_reason_not_to_send",
        "_place",
        "with_fills",
    ),
    "app.services.failures": ("book", "_release", "_leave_for_reconciliation"),
    "app.services.bookkeeping": (
        "adopt",
        "_book_fills",
        "_follow",
        "_lock",
        "_read_anew",
        "_step",
        "_adopt_leg",
        "_new_leg",
    ),
    "app.services.positions": ("follow", "held_for", "_opened", "_adopt_wish"),
    "app.services.counting": ("recount", "_carry", "_carry_one"),
    "app.services.protection": ("next_orders", "refused", "_intent"),
    "app.services.wishes": ("write", "_wish"),
    "app.services.hand_trades": ("account_for",),
    "app.services.reconciliation": ("reconcile", "_adopt", "_guard_again", "_conclude"),
    "app.exchanges.rest": ("RestExchange._once",),
    "app.models.order": ("OrderRow.move_to", "OrderRow.note"),
}

_CALL = "_reach_crash_point"


class CrashPoints:
    """The points compiled in, each with its statement's first line; those reached; where this process shall die."""

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}
        self.reached: dict[str, None] = {}
        self.die_at: str | None = None

    def reach(self, name: str) -> None:
        """What the inserted calls do."""
        if name == self.die_at:
            os.kill(os.getpid(), signal.SIGKILL)
        self.reached[name] = None


def compile_in(path: Mapping[str, tuple[str, ...]] = PATH) -> CrashPoints:
    """Put a point before every statement of the functions of ``path``, in this process and its children to come."""
    points = CrashPoints()
    for module_name, functions in path.items():
        module = import_module(module_name)
        tree = ast.parse(inspect.getsource(module))
        for name in functions:
            points.texts |= _mark(_definition(tree, name), f"{module_name}:{name}")
        codes = {code.co_qualname: code for code in _codes(_compiled(tree, module))}
        for name in functions:
            _function(module, name).__code__ = codes[name]
        setattr(module, _CALL, points.reach)
    return points


def _definition(tree: ast.AST, name: str) -> ast.FunctionDef:
    outer, _, inner = name.partition(".")
    for found in ast.iter_child_nodes(tree):
        if isinstance(found, ast.FunctionDef | ast.ClassDef) and found.name == outer:
            return _definition(found, inner) if inner else _as_function(found)
    raise LookupError(f"there is no {name} to put crash points into: correct PATH")


def _as_function(found: ast.FunctionDef | ast.ClassDef) -> ast.FunctionDef:
    if isinstance(found, ast.FunctionDef):
        return found
    raise TypeError(f"{found.name} is a class: name its methods")


def _mark(node: ast.AST, prefix: str) -> Iterator[tuple[str, str]]:
    """Insert a point before each statement within ``node``, depth first; yields names and texts."""
    for field, block in ast.iter_fields(node):
        if not (isinstance(block, list) and block):
            continue
        if not isinstance(block[0], ast.stmt):
            for child in block:  # the handlers of a try, the cases of a match
                if isinstance(child, ast.ExceptHandler | ast.match_case):
                    yield from _mark(child, prefix)
            continue
        marked: list[ast.stmt] = []
        for statement in block:
            if not _is_docstring(statement):
                name = f"{prefix}:{statement.lineno}"
                yield name, ast.unparse(statement).partition("\n")[0]
                marked.append(_call(name, statement))
                yield from _mark(statement, prefix)
            marked.append(statement)
        setattr(node, field, marked)


def _is_docstring(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def _call(name: str, before: ast.stmt) -> ast.Expr:
    call = ast.Expr(ast.Call(ast.Name(_CALL, ast.Load()), [ast.Constant(name)], []))
    return ast.fix_missing_locations(ast.copy_location(call, before))


def _compiled(tree: ast.Module, module: ModuleType) -> CodeType:
    code: CodeType = compile(tree, str(module.__file__), "exec", dont_inherit=True)
    return code


def _codes(code: CodeType) -> Iterator[CodeType]:
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield constant
            yield from _codes(constant)


def _function(module: ModuleType, name: str) -> FunctionType:
    found: object = module
    for part in name.split("."):
        found = getattr(found, part)
    assert callable(found)
    function = inspect.unwrap(found)
    assert isinstance(function, FunctionType)
    return function
