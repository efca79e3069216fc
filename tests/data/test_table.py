"""Reading tables: what is read, and the full text of every refusal."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from chainrule.data import DataError, read_table


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory: messages then name files as users do."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def refusal(file: str, **how: object) -> str:
    with pytest.raises(DataError) as caught:
        read_table(file, **how)  # type: ignore[arg-type]
    return str(caught.value)


# -- what is read


def test_house_tiny_is_read_as_the_notes_print_it(folder: Path) -> None:
    Path("house_tiny.csv").write_text(
        "NumRooms,Alley,Price\nNA,Pave,127500\n2,NA,106000\n4,NA,178100\nNA,NA,140000\n"
    )
    frame = read_table("house_tiny.csv").frame
    expected = pd.DataFrame(
        {
            "NumRooms": [np.nan, 2.0, 4.0, np.nan],
            "Alley": ["Pave", np.nan, np.nan, np.nan],
            "Price": [127500, 106000, 178100, 140000],
        }
    )
    pd.testing.assert_frame_equal(frame, expected, check_dtype=False)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252", "latin-1"])
def test_the_encoding_can_be_given(folder: Path, encoding: str) -> None:
    Path("data.csv").write_text("größe,ort\n1,Köln\n", encoding=encoding)
    assert read_table("data.csv", encoding=encoding).frame.to_dict("list") == {"größe": [1], "ort": ["Köln"]}


def test_a_byte_order_mark_is_no_part_of_a_name(folder: Path) -> None:
    Path("data.csv").write_text("a,b\n1,2\n", encoding="utf-8-sig")
    assert list(read_table("data.csv").frame.columns) == ["a", "b"]


@pytest.mark.parametrize(("name", "separator"), [("d.csv", ","), ("d.tsv", "\t"), ("D.CSV", ",")])
def test_the_separator_follows_from_the_file_type(folder: Path, name: str, separator: str) -> None:
    Path(name).write_text(f"a{separator}b\n1{separator}2\n")
    assert read_table(name).frame.to_dict("list") == {"a": [1], "b": [2]}


def test_the_separator_can_be_given(folder: Path) -> None:
    Path("data.csv").write_text("a;b\n1;2\n")
    assert read_table("data.csv", separator=";").frame.to_dict("list") == {"a": [1], "b": [2]}


def test_more_words_for_missing_values(folder: Path) -> None:
    Path("data.csv").write_text("a,b\n1,?\n?,x\n")
    frame = read_table("data.csv", missing=["?"]).frame
    assert frame["a"].isna().tolist() == [False, True]
    assert frame["b"].isna().tolist() == [True, False]


def test_text_columns_are_kept_as_written(folder: Path) -> None:
    Path("data.csv").write_text("zip,n\n00501,1\n,2\n")
    frame = read_table("data.csv", text_columns=["zip", "not there"]).frame
    assert frame["zip"].tolist()[0] == "00501"
    assert frame["zip"].isna().tolist() == [False, True]


def test_empty_lines_and_quoted_line_ends_are_no_rows(folder: Path) -> None:
    Path("data.csv").write_text('\na,b\n\n1,"two\nlines"\n   \n3,x\n\n')
    assert read_table("data.csv").frame.to_dict("list") == {"a": [1, 3], "b": ["two\nlines", "x"]}


def test_a_column_without_a_name_is_called_after_its_place(folder: Path) -> None:
    Path("data.csv").write_text(",a\n0,1\n")
    assert list(read_table("data.csv").frame.columns) == ["Unnamed: 0", "a"]


def test_names_that_are_numbers_are_remarked_on(folder: Path) -> None:
    Path("data.csv").write_text("5.1,3.5,1.4,0.2,7\n4.9,3.0,1.4,0.2,8\n")
    assert read_table("data.csv").notes == [
        "every column name is a number ('5.1', '3.5', '1.4' and 2 more): if the file has no header, add one"
    ]


def test_names_that_count_are_names(folder: Path) -> None:
    Path("data.csv").write_text("0,1,2\n4.9,3.0,1.4\n")
    assert read_table("data.csv").notes == []


@pytest.mark.parametrize("name", ["d.parquet", "d.pq"])
def test_parquet(folder: Path, name: str) -> None:
    frame = pd.DataFrame({"a": [1, 2], "b": ["x", None], "c": [True, False]})
    frame.to_parquet(name)
    pd.testing.assert_frame_equal(read_table(name).frame, frame, check_dtype=False)


def test_no_column_of_a_parquet_file_gets_lost_as_an_index(folder: Path) -> None:
    pd.DataFrame({"a": [1, 2]}, index=pd.Index([7, 8], name="key")).to_parquet("d.parquet")
    assert read_table("d.parquet").frame.to_dict("list") == {"a": [1, 2], "key": [7, 8]}


def test_words_for_missing_values_in_parquet_leave_numbers_alone(folder: Path) -> None:
    pd.DataFrame({"a": [1, 2], "b": ["?", "x"]}).to_parquet("d.parquet")
    frame = read_table("d.parquet", missing=["?"]).frame
    assert frame["a"].dtype == "int64"
    assert frame["b"].isna().tolist() == [True, False]


# -- what is refused


def test_missing_file(folder: Path) -> None:
    assert refusal("data.csv") == "there is no file 'data.csv'"


def test_missing_file_with_a_near_name(folder: Path) -> None:
    Path("houses.csv").write_text("a,b\n1,2\n")
    assert refusal("house.csv") == "there is no file 'house.csv'; did you mean 'houses.csv'?"


def test_missing_folder(folder: Path) -> None:
    assert refusal("no/such/data.csv") == "there is no file 'no/such/data.csv'"


def test_folder(folder: Path) -> None:
    Path("data.csv").mkdir()
    assert refusal("data.csv") == "'data.csv' is a folder; give a .csv, .tsv or .parquet file"


def test_empty_file(folder: Path) -> None:
    Path("data.csv").write_text("")
    assert refusal("data.csv") == "'data.csv' is empty"


@pytest.mark.parametrize("content", ["\n\n", "  \n", "\ufeff"])
def test_empty_lines_only(folder: Path, content: str) -> None:
    Path("data.csv").write_text(content, encoding="utf-8")
    assert refusal("data.csv") == "'data.csv' has nothing but empty lines"


@pytest.mark.parametrize("content", ["a,b", "a,b\n", "a,b\n\n"])
def test_header_only(folder: Path, content: str) -> None:
    Path("data.csv").write_text(content)
    assert refusal("data.csv") == "'data.csv' has a header but no rows"


def test_parquet_without_rows(folder: Path) -> None:
    pd.DataFrame({"a": [1]}).iloc[:0].to_parquet("d.parquet")
    assert refusal("d.parquet") == "'d.parquet' has a header but no rows"


def test_unknown_file_type(folder: Path) -> None:
    Path("data.xlsx").write_text("x")
    Path("data").write_text("x")
    assert (
        refusal("data.xlsx")
        == "cannot read the file type '.xlsx' of 'data.xlsx'; give a .csv, .tsv or .parquet file"
    )
    assert (
        refusal("data") == "cannot read a file without a type of 'data'; give a .csv, .tsv or .parquet file"
    )


def test_long_line(folder: Path) -> None:
    Path("data.csv").write_text("a,b\n1,2\n\n3,4,5\n")
    assert refusal("data.csv") == "line 4 of 'data.csv' has 3 fields, but the header names 2"


def test_short_line(folder: Path) -> None:
    Path("data.csv").write_text("a,b\n1,2\n3\n")
    assert refusal("data.csv") == "line 3 of 'data.csv' has 1 field, but the header names 2"


def test_every_line_longer_than_the_header(folder: Path) -> None:
    # pandas would take the first column for an index, in silence
    Path("data.csv").write_text("a,b\n1,2,3\n4,5,6\n")
    assert refusal("data.csv") == "line 2 of 'data.csv' has 3 fields, but the header names 2"


@pytest.mark.parametrize(("separator", "name"), [(";", "';'"), ("\t", "'\\t'"), ("|", "'|'")])
def test_wrong_separator(folder: Path, separator: str, name: str) -> None:
    Path("data.csv").write_text(f"a{separator}b\n1{separator}2\n")
    assert refusal("data.csv") == (
        f"'data.csv' has only one column; its fields look separated by {name}: try --separator {name}"
    )


def test_wrong_separator_with_decimal_commas(folder: Path) -> None:
    Path("data.csv").write_text("a;b\n1,5;2,5\n")
    assert refusal("data.csv") == (
        "line 2 of 'data.csv' has 3 fields, but the header names 1; "
        "its fields look separated by ';': try --separator ';'"
    )


def test_duplicate_names(folder: Path) -> None:
    Path("data.csv").write_text("a,b,a\n1,2,3\n")
    assert (
        refusal("data.csv") == "'data.csv' has 2 columns named 'a' (columns 1 and 3); give each its own name"
    )


def test_duplicate_names_in_parquet(folder: Path) -> None:
    import pyarrow
    import pyarrow.parquet

    pyarrow.parquet.write_table(pyarrow.table([[1], [2]], names=["a", "a"]), "d.parquet")
    assert (
        refusal("d.parquet")
        == "'d.parquet' has 2 columns named 'a' (columns 1 and 2); give each its own name"
    )


def test_open_quotation_mark(folder: Path) -> None:
    Path("data.csv").write_text('a,b\n1,2\n3,"x\n5,6\n')
    assert refusal("data.csv") == "a quotation mark (\") in line 3 of 'data.csv' is never closed"


def test_text_after_a_quotation_mark(folder: Path) -> None:
    Path("data.csv").write_text('a,b\n1,"x"y\n')
    assert refusal("data.csv") == "cannot read line 2 of 'data.csv': ',' expected after '\"'"


def test_bytes_that_are_not_utf8(folder: Path) -> None:
    Path("data.csv").write_bytes(b"a,b\n1,x\n2,caf\xe9\n")
    assert refusal("data.csv") == (
        "'data.csv' is not UTF-8 text: byte 0xe9 at offset 13 in line 3; "
        "an older program may have written it: try --encoding cp1252 (or gbk, ...)"
    )


def test_bytes_that_are_not_utf8_far_into_the_file(folder: Path) -> None:
    # beyond the first piece that Python decodes at once
    Path("data.csv").write_bytes(b"a,b\n" + b"1,x\n" * 50_000 + b"2,\xff\n")
    assert refusal("data.csv") == (
        "'data.csv' is not UTF-8 text: byte 0xff at offset 200,006 in line 50,002; "
        "an older program may have written it: try --encoding cp1252 (or gbk, ...)"
    )


def test_text_that_ends_within_a_character(folder: Path) -> None:
    Path("data.csv").write_bytes("a,b\n1,é".encode()[:-1])
    assert refusal("data.csv") == (
        "'data.csv' is not UTF-8 text: byte 0xc3 at offset 6 in line 2; "
        "an older program may have written it: try --encoding cp1252 (or gbk, ...)"
    )


def test_utf16(folder: Path) -> None:
    Path("data.csv").write_text("a,b\n1,2\n", encoding="utf-16")
    assert refusal("data.csv") == "'data.csv' is UTF-16 text: try --encoding utf-16"


def test_wrong_encoding_given(folder: Path) -> None:
    Path("data.csv").write_text("a,b\n1,é\n", encoding="utf-8")
    assert refusal("data.csv", encoding="ascii") == (
        "'data.csv' is not ascii text: byte 0xc3 at offset 6 in line 2; "
        "an older program may have written it: try --encoding cp1252 (or gbk, ...)"
    )


def test_unknown_encoding(folder: Path) -> None:
    Path("data.csv").write_text("a,b\n1,2\n")
    assert refusal("data.csv", encoding="klingon") == (
        "there is no encoding 'klingon'; well-known ones: utf-8, utf-16, cp1252, gbk"
    )


def test_parquet_that_is_none(folder: Path) -> None:
    Path("d.parquet").write_text("a,b\n1,2\n")
    assert refusal("d.parquet").startswith("'d.parquet' is not a Parquet file that can be read: ")
    assert "\n" not in refusal("d.parquet")


def test_file_that_cannot_be_read(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("data.csv").write_text("a,b\n1,2\n")

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied", "data.csv")

    monkeypatch.setattr("builtins.open", refuse)
    assert refusal("data.csv") == "cannot read 'data.csv': Permission denied"


def test_name_that_no_file_can_have(folder: Path) -> None:
    assert refusal("x" * 300 + ".csv") == f"cannot read '{'x' * 300}.csv': File name too long"
