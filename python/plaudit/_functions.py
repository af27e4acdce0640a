"""Makes one Python function of every registered operator; the list comes from the library itself."""

import collections
import inspect
import json
import keyword
import math
import re
import reprlib
import sys
import types

import torch

from plaudit import _library

FunctionInfo = collections.namedtuple("FunctionInfo", "name doc systems")


def functions():
    """All functions of the library: [FunctionInfo(name, doc, systems)], sorted by name."""
    return [FunctionInfo(**f) for f in json.loads(_library.load().functions_json())]


# The readers below take an argument and its place, "area.name: argument", which begins what they have to refuse.


def _tensor(value, place):
    """A tensor from a number, a (nested) list or an array; Python's own numbers become float64 or int64."""
    if isinstance(value, torch.Tensor) or value is None:
        return value
    if isinstance(value, (list, tuple)) and any(isinstance(v, torch.Tensor) for v in value):
        parts = [_tensor(v, place) for v in value]
        try:
            return torch.stack(parts)
        except (RuntimeError, TypeError) as error:
            raise ValueError(f"{place} is a list that makes no tensor: {error}") from error
    try:
        if isinstance(value, (bool, int)):
            return torch.tensor(value)
        if isinstance(value, float):
            return torch.tensor(value, dtype=torch.float64)
        import numpy

        return torch.from_numpy(numpy.array(value))
    except (TypeError, ValueError) as error:
        if "inhomogeneous" in str(error):
            raise ValueError(f"{place} is ragged: {reprlib.repr(value)}") from error
        raise ValueError(f"{place} must hold numbers of at most 64 bits, got {reprlib.repr(value)}") from error


def _text(value, place):
    """A string as it is; any other object as the JSON text that stands for it."""
    if value is None or isinstance(value, str):
        return value
    try:
        return json.dumps(value)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{place} has no JSON form: {error}") from error


def _numbers(value, place):
    """A list of numbers, from a tensor or an array too."""
    return value.tolist() if hasattr(value, "tolist") else value


_SPECIAL_NUMBERS = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}


def _float(value, place):
    """A number, from "inf" and "-inf" too, as in JSON; never NaN, which most comparisons would let pass."""
    if not isinstance(value, (int, float)):  # which torch.compile may hold as symbols, without attributes
        value = _numbers(value, place)
    if isinstance(value, str):
        value = _SPECIAL_NUMBERS.get(value, value)
    if value != value:
        raise ValueError(f"{place} must be a number, got nan")
    return value


def _converter(type_name):
    """How an argument of this schema type is read; None when it passes as it is."""
    if type_name.startswith("Optional["):
        type_name = type_name[len("Optional["):-1]
    if type_name in ("List[int]", "List[float]", "List[bool]"):
        return _numbers
    return {"Tensor": _tensor, "str": _text, "float": _float}.get(type_name)


def _mismatch(name, error, arguments):
    """The error that names what the dispatcher refused by its type; None for an error of another kind."""
    found = re.match(r"\S+\(\) Expected a value of type '(.+)' for argument '(\w+)' but", str(error))
    if found is None:
        return None
    expected, argument = found.groups()
    return ValueError(f"{name}: {argument} must be a {expected}, got {reprlib.repr(arguments[argument])}")


def _type_error(name, message):
    return TypeError(f"{name}: {message}")


def _python_name(name):
    """An argument that is a keyword of Python goes by its name with an underscore: lambda_."""
    return name + "_" if keyword.iskeyword(name) else name


def _signature(schema):
    def parameter(argument):
        default = argument.default_value if argument.has_default_value() else inspect.Parameter.empty
        return inspect.Parameter(_python_name(argument.name), inspect.Parameter.POSITIONAL_OR_KEYWORD, default=default,
                                 annotation=str(argument.type))

    return inspect.Signature([parameter(a) for a in schema.arguments])


def _docstring(info, schema):
    results = [f"{r.name or 'out'} ({r.type})" for r in schema.returns]
    return f"{info.doc}\n\nReturns {', '.join(results)}.\nSystems: {', '.join(info.systems)}."


def _make(info, area, name):
    """The Python function of one operator."""
    operator = getattr(getattr(torch.ops, "plaudit_" + area), name).default
    schema = operator._schema
    names = [a.name for a in schema.arguments]
    required = [a.name for a in schema.arguments if not a.has_default_value()]
    converters = {a.name: _converter(str(a.type)) for a in schema.arguments}
    places = {a: f"{info.name}: {a}" for a in names}
    aliases = {_python_name(a): a for a in names if _python_name(a) != a}
    single = len(schema.returns) == 1
    holds_json = [_library.load().holds_json(info.name, r.name) for r in schema.returns]
    result = None if single else collections.namedtuple(
        "".join(part.title() for part in name.split("_")) + "Result", [r.name for r in schema.returns])

    def function(*args, **kwargs):
        if len(args) > len(names):
            raise _type_error(info.name, f"takes {len(names)} arguments, got {len(args)}")
        for alias, key in aliases.items():
            if alias in kwargs:
                if key in kwargs:
                    raise _type_error(info.name, f"got two values for the argument '{key}'")
                kwargs[key] = kwargs.pop(alias)
        for key, value in zip(names, args):
            if key in kwargs:
                raise _type_error(info.name, f"got two values for the argument '{key}'")
            kwargs[key] = value
        for key in required:
            if key not in kwargs:
                raise _type_error(info.name, f"needs the argument '{key}'")
        for key in kwargs:
            if key not in converters:
                raise _type_error(info.name, f"has no argument '{key}'; it takes {', '.join(names)}")
            if converters[key] is not None:
                kwargs[key] = converters[key](kwargs[key], places[key])
        try:
            out = operator(**kwargs)
        except RuntimeError as error:
            raise _mismatch(info.name, error, kwargs) or error
        if any(holds_json):  # an object that travels as JSON text
            values = [json.loads(v) if as_json else v for v, as_json in zip([out] if single else out, holds_json)]
            return values[0] if single else result(*values)
        return out if single else result(*out)

    function.__name__ = name
    function.__qualname__ = f"{area}.{name}"
    function.__doc__ = _docstring(info, schema)
    function.__signature__ = _signature(schema)
    if result is not None:
        result.__module__ = f"plaudit.{area}"
        result.__doc__ = f"Results of plaudit.{info.name}."
    return function


def install(package):
    """Adds one module per area to the package; returns the names of the areas."""
    areas = {}
    for info in functions():
        area, name = info.name.split(".")
        if area not in areas:
            areas[area] = types.ModuleType(f"{package}.{area}", f"The functions of the area {area}.")
            areas[area].__all__ = []
        function = _make(info, area, name)
        function.__module__ = f"{package}.{area}"
        setattr(areas[area], name, function)
        areas[area].__all__.append(name)
    for area, module in areas.items():
        sys.modules[f"{package}.{area}"] = module
        setattr(sys.modules[package], area, module)
    return sorted(areas)
