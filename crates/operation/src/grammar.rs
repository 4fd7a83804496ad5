//! The grammar of executable documents (specification, appendix B), by descent over apollo-parser's tokens.
//!
//! apollo-parser builds the tree, and goes on behind what it does not understand: it drops an argument or a field of an object
//! that has no colon, so that `deals(frist 5 …)` would be carried out without it. It takes a line's end in a string, and
//! refuses a comma behind an alias, where the specification has it the other way round. Here a document is one or is none,
//! within limits, and what was expected is said in words.

use std::ops::Range;

use apollo_parser::{Error, Lexer, Token, TokenKind};

use crate::{
    Limits, Location,
    problem::{Problem, Stage, shown},
};

/// How many operations a document has: what a fragment holds is looked at once for each that spreads it.
const MOST_OPERATIONS: usize = 100;

/// The text if it is an executable document, its commas and descriptions, which mean nothing here, replaced by spaces; or what is
/// wrong with it.
pub(crate) fn check(text: &str, limits: &Limits) -> Result<String, Problem> {
    let mut reader =
        Reader { text, lexer: Lexer::new(text), next: None, tokens: 0, depth: 0, idle: Vec::new(), limits };
    reader.advance()?;
    reader.document()?;
    let mut bytes = text.as_bytes().to_vec();
    for range in reader.idle {
        for byte in bytes.get_mut(range).into_iter().flatten() {
            // Lines stay where they are.
            if !matches!(*byte, b'\n' | b'\r') {
                *byte = b' ';
            }
        }
    }
    String::from_utf8(bytes).map_err(|_| Problem::new(Stage::Parsing, "This is no text."))
}

struct Reader<'a> {
    text: &'a str,
    lexer: Lexer<'a>,
    /// The token that is looked at; none at the end.
    next: Option<Token<'a>>,
    tokens: usize,
    depth: usize,
    /// What means nothing to who carries it out: commas and descriptions, as ranges of bytes.
    idle: Vec<Range<usize>>,
    limits: &'a Limits,
}

type Read = Result<(), Problem>;

impl<'a> Reader<'a> {
    fn advance(&mut self) -> Read {
        loop {
            match self.lexer.next() {
                None => self.next = None,
                Some(Err(error)) => return Err(self.unreadable(&error)),
                Some(Ok(token)) => match token.kind() {
                    TokenKind::Whitespace | TokenKind::Comment => continue,
                    TokenKind::Comma => {
                        self.idle.push(token.index()..token.index() + 1);
                        continue;
                    }
                    TokenKind::Eof => self.next = None,
                    _ => {
                        self.tokens += 1;
                        if self.tokens > self.limits.tokens {
                            let most = self.limits.tokens;
                            let told = format!("The document has more than {most} tokens. Ask for less at once.");
                            return Err(self.problem(told, token.index()));
                        }
                        let is_line = token.kind() == TokenKind::StringValue && !token.data().starts_with("\"\"\"");
                        if is_line && token.data().contains(['\n', '\r']) {
                            let told = "This is no GraphQL: a string ends in its line. Write a line's end as \\n, or use \
                                        \"\"\" around the string.";
                            return Err(self.problem(told.to_owned(), token.index()));
                        }
                        self.next = Some(token);
                    }
                },
            }
            return Ok(());
        }
    }

    fn kind(&self) -> Option<TokenKind> {
        self.next.as_ref().map(Token::kind)
    }

    fn word(&self) -> Option<&'a str> {
        self.next.as_ref().filter(|token| token.kind() == TokenKind::Name).map(Token::data)
    }

    fn is(&self, kind: TokenKind) -> bool {
        self.kind() == Some(kind)
    }

    /// Goes on if the next token is of this kind, and tells whether it was.
    fn eat(&mut self, kind: TokenKind) -> Result<bool, Problem> {
        let is = self.is(kind);
        if is {
            self.advance()?;
        }
        Ok(is)
    }

    fn expect(&mut self, kind: TokenKind, what: &str) -> Read {
        if self.eat(kind)? { Ok(()) } else { Err(self.expected(what)) }
    }

    fn name(&mut self, what: &str) -> Read {
        self.expect(TokenKind::Name, what)
    }

    fn problem(&self, message: String, index: usize) -> Problem {
        let before = self.text.get(..index).unwrap_or(self.text);
        // As the specification has it: a line ends with LF, CR, or both.
        let lines = before.replace("\r\n", "\n").replace('\r', "\n");
        let line = lines.matches('\n').count() + 1;
        let column = lines.rsplit('\n').next().map_or(0, |last| last.chars().count()) + 1;
        Problem { stage: Stage::Parsing, message, location: Some(Location { line, column }) }
    }

    fn expected(&self, what: &str) -> Problem {
        let (found, index) = match &self.next {
            None => ("the document ends".to_owned(), self.text.len()),
            Some(token) => (format!("here is `{}`", shown(token.data())), token.index()),
        };
        self.problem(format!("This is no GraphQL: {what} is expected, and {found}."), index)
    }

    fn unreadable(&self, error: &Error) -> Problem {
        let why = error.message().trim_end_matches('.');
        let found = shown(error.data());
        let hint = if found.starts_with('\'') { " Text stands in double quotes, as in \"text\"." } else { "" };
        let found = if found.is_empty() { String::new() } else { format!(" at `{found}`") };
        self.problem(format!("This is no GraphQL: {why}{found}.{hint}"), error.index())
    }

    /// Reads something that may contain its like.
    fn deeper(&mut self, read: impl FnOnce(&mut Self) -> Read) -> Read {
        self.depth += 1;
        if self.depth > self.limits.nesting {
            let told = format!("The document is nested more than {} levels deep. Nest it less.", self.limits.nesting);
            return Err(self.problem(told, self.next.as_ref().map_or(self.text.len(), Token::index)));
        }
        read(self)?;
        self.depth -= 1;
        Ok(())
    }

    fn document(&mut self) -> Read {
        let what = "an operation, such as `query { … }` or `{ … }`, or a fragment";
        if self.next.is_none() {
            return Err(self.expected(what));
        }
        let mut operations = 0;
        while self.next.is_some() {
            let described = self.description()?;
            if self.word() != Some("fragment") {
                operations += 1;
                if operations > MOST_OPERATIONS {
                    let told = format!(
                        "The document has more than {MOST_OPERATIONS} operations, of which a request carries out one. Send fewer with it."
                    );
                    return Err(self.problem(told, self.next.as_ref().map_or(0, Token::index)));
                }
            }
            match self.word() {
                _ if self.is(TokenKind::LCurly) && !described => self.selection_set()?,
                Some("query" | "mutation" | "subscription") => self.operation()?,
                Some("fragment") => self.fragment()?,
                Some(
                    "schema" | "scalar" | "type" | "interface" | "union" | "enum" | "input" | "directive" | "extend",
                ) => {
                    let told = "Only operations and fragments can be executed: a document defines no types.".to_owned();
                    let problem = self.problem(told, self.next.as_ref().map_or(0, Token::index));
                    return Err(Problem { stage: Stage::Validation, ..problem });
                }
                _ => return Err(self.expected(what)),
            }
        }
        Ok(())
    }

    /// Reads over a description, and tells whether there was one.
    fn description(&mut self) -> Result<bool, Problem> {
        let Some(token) = self.next.as_ref().filter(|token| token.kind() == TokenKind::StringValue) else {
            return Ok(false);
        };
        self.idle.push(token.index()..token.index() + token.data().len());
        self.advance()?;
        Ok(true)
    }

    fn operation(&mut self) -> Read {
        self.advance()?;
        self.eat(TokenKind::Name)?;
        if self.eat(TokenKind::LParen)? {
            loop {
                self.variable_definition()?;
                if self.eat(TokenKind::RParen)? {
                    break;
                }
            }
        }
        self.directives()?;
        self.selection_set()
    }

    fn variable_definition(&mut self) -> Read {
        self.description()?;
        self.expect(TokenKind::Dollar, "a variable, such as `$id: UUID!`,")?;
        self.name("the variable's name")?;
        self.expect(TokenKind::Colon, "a colon and the variable's type")?;
        self.ty()?;
        if self.eat(TokenKind::Eq)? {
            self.value(true)?;
        }
        self.directives()
    }

    fn ty(&mut self) -> Read {
        if self.eat(TokenKind::LBracket)? {
            self.deeper(Self::ty)?;
            self.expect(TokenKind::RBracket, "`]`")?;
        } else {
            self.name("a type, such as `UUID!` or `[String!]`,")?;
        }
        self.eat(TokenKind::Bang)?;
        Ok(())
    }

    fn fragment(&mut self) -> Read {
        self.advance()?;
        if self.word() == Some("on") {
            return Err(self.expected("the fragment's name"));
        }
        self.name("the fragment's name")?;
        self.on()?;
        self.directives()?;
        self.selection_set()
    }

    fn on(&mut self) -> Read {
        if self.word() != Some("on") {
            return Err(self.expected("`on` and a type"));
        }
        self.advance()?;
        self.name("a type")
    }

    fn selection_set(&mut self) -> Read {
        self.expect(TokenKind::LCurly, "a selection in braces, such as `{ id }`,")?;
        self.deeper(|this| {
            loop {
                this.selection()?;
                if this.eat(TokenKind::RCurly)? {
                    return Ok(());
                }
            }
        })
    }

    fn selection(&mut self) -> Read {
        if self.eat(TokenKind::Spread)? {
            match self.word() {
                Some("on") => self.on()?,
                Some(_) => {
                    self.advance()?;
                    return self.directives();
                }
                None => {}
            }
            self.directives()?;
            return self.selection_set();
        }
        self.name("a field, or `}` behind the last one,")?;
        if self.eat(TokenKind::Colon)? {
            self.name("the field's name behind its alias")?;
        }
        self.arguments()?;
        self.directives()?;
        if self.is(TokenKind::LCurly) { self.selection_set() } else { Ok(()) }
    }

    fn arguments(&mut self) -> Read {
        if !self.eat(TokenKind::LParen)? {
            return Ok(());
        }
        loop {
            self.name("an argument, such as `first: 10`,")?;
            self.expect(TokenKind::Colon, "a colon and the argument's value")?;
            self.value(false)?;
            if self.eat(TokenKind::RParen)? {
                return Ok(());
            }
        }
    }

    fn directives(&mut self) -> Read {
        while self.eat(TokenKind::At)? {
            self.name("the directive's name")?;
            self.arguments()?;
        }
        Ok(())
    }

    fn value(&mut self, constant: bool) -> Read {
        match self.kind() {
            Some(TokenKind::Int | TokenKind::Float | TokenKind::StringValue | TokenKind::Name) => self.advance(),
            Some(TokenKind::Dollar) if !constant => {
                self.advance()?;
                self.name("the variable's name")
            }
            Some(TokenKind::Dollar) => Err(self.expected("a value that is no variable")),
            Some(TokenKind::LBracket) => {
                self.advance()?;
                self.deeper(|this| {
                    while !this.eat(TokenKind::RBracket)? {
                        this.value(constant)?;
                    }
                    Ok(())
                })
            }
            Some(TokenKind::LCurly) => {
                self.advance()?;
                self.deeper(|this| {
                    while !this.eat(TokenKind::RCurly)? {
                        this.name("a field, such as `name: \"…\"`, or `}`")?;
                        this.expect(TokenKind::Colon, "a colon and the field's value")?;
                        this.value(constant)?;
                    }
                    Ok(())
                })
            }
            _ => Err(self.expected("a value, such as `10`, `\"text\"`, `true`, `[…]` or `{…}`,")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> Option<(String, usize, usize)> {
        let problem = check(text, &Limits { nesting: 10, tokens: 100, ..Limits::default() }).err()?;
        let place = problem.location.unwrap();
        Some((problem.message, place.line, place.column))
    }

    #[test]
    fn documents_are_read() {
        for text in [
            "{ a }",
            "query Q($a: [Int!]! = [1, 2] @d, $b: T = { x: { y: null } }) @d { a: b(c: $a, d: [ENUM -1.5e3 \"\"\"x\"\"\"]) @d { ...F ... @d { e } ... on T { f } } }",
            "fragment F on T @d { a } { a ...F } mutation { b } subscription S { c }",
            "{ query mutation on: fragment(true: false) { null } }",
            "\u{feff}{ a, , b # end\r c }",
            "{ a,: b(c,:,1,), }",
            "\"d\" query Q(\"\"\"v\nw\"\"\" $a: Int) { a } \"f\" fragment F on T { b }",
        ] {
            assert_eq!(told(text), None, "{text}");
        }
    }

    #[test]
    fn a_document_has_so_many_operations() {
        let document = |operations: usize| {
            let text = (0..operations).map(|number| format!("query Q{number} {{ a }} ")).collect::<String>();
            check(&text, &Limits::default()).err().map(|problem| problem.message)
        };
        assert_eq!(document(MOST_OPERATIONS), None);
        assert!(document(MOST_OPERATIONS + 1).is_some_and(|told| told.contains("more than 100 operations")));
    }

    #[test]
    fn what_is_none_is_told_in_words() {
        for (text, expected, line, column) in [
            ("", "an operation", 1, 1),
            (
                "{ deals { nodes { name }",
                "a field, or `}` behind the last one, is expected, and the document ends",
                1,
                25,
            ),
            ("{ a(b 1) }", "a colon and the argument's value is expected, and here is `1`", 1, 7),
            ("{ a(b: { c }) }", "a colon and the field's value", 1, 12),
            ("{ a() }", "an argument, such as `first: 10`,", 1, 5),
            ("query A() { a }", "a variable, such as `$id: UUID!`,", 1, 9),
            ("{\n  a(b: )\n}", "a value, such as `10`", 2, 8),
            ("{ }", "a field", 1, 3),
            ("query($a: Int = $b) { a }", "a value that is no variable", 1, 17),
            ("fragment on on T { a }", "the fragment's name", 1, 10),
            ("{ a } b", "an operation", 1, 7),
            ("{ a(b: \"\n\") }", "a string ends in its line", 1, 8),
            ("\"d\" { a }", "an operation", 1, 5),
            ("{ \"d\" a }", "a field", 1, 3),
            ("type A { b: Int }", "defines no types", 1, 1),
            ("{ a(b: 01) }", "", 1, 8),
            ("{ \"a\" }", "a field", 1, 3),
            ("{ a(b: \"\\ud800\") }", "", 1, 8),
            ("{ {{{{{{{{{{{", "a field", 1, 3),
            ("{a{a{a{a{a{a{a{a{a{a{a{a", "more than 10 levels", 1, 22),
            ("{ a(b: [[[[[[[[[[[", "more than 10 levels", 1, 18),
            ("query($a: [[[[[[[[[[[[", "more than 10 levels", 1, 22),
        ] {
            let (message, at, character) = told(text).unwrap_or_else(|| panic!("{text} is read"));
            assert!(message.contains(expected), "{text}: {message}");
            assert_eq!((at, character), (line, column), "{text}: {message}");
        }
        assert!(told(&format!("{{ {} }}", "a ".repeat(100))).unwrap().0.contains("more than 100 tokens"));
    }
}
