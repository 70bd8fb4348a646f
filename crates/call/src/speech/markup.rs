//! Takes away what is written but not said.

/// Text without mark-up, emoji and line breaks.
pub(super) fn strip(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for line in text.lines() {
        let line = without_bullet(line.trim());
        if line.is_empty() {
            continue;
        }
        if !plain.is_empty() {
            // A line break in a list is a breath.
            plain.push_str(if plain.ends_with(['.', ',', '?', '!', ':', ';', '。', '，', '？', '！']) {
                " "
            } else {
                ", "
            });
        }
        inline(line, &mut plain);
    }
    let words: Vec<&str> = plain.split_whitespace().collect();
    let mut plain = words.join(" ");
    for orphan in [" .", " ,", " !", " ?"] {
        plain = plain.replace(orphan, &orphan[1..]);
    }
    plain
}

fn without_bullet(line: &str) -> &str {
    let line = line.trim_start_matches(['#', '>']).trim_start();
    for bullet in ["- ", "* ", "• ", "+ "] {
        if let Some(rest) = line.strip_prefix(bullet) {
            return rest.trim_start();
        }
    }
    let digits = line.bytes().take_while(u8::is_ascii_digit).count();
    match line.get(digits..) {
        Some(rest) if (1..=2).contains(&digits) => {
            rest.strip_prefix(". ").or_else(|| rest.strip_prefix(") ")).unwrap_or(line)
        }
        Some(_) | None => line,
    }
}

fn inline(line: &str, plain: &mut String) {
    let mut rest = line;
    while let Some(c) = rest.chars().next() {
        if c == '['
            && let Some((label, after)) = link(rest)
        {
            plain.push_str(label);
            rest = after;
            continue;
        }
        if c == '<'
            && let Some(end) = tag(rest)
        {
            rest = &rest[end..];
            continue;
        }
        if c == '&'
            && let Some((said, length)) = entity(rest)
        {
            plain.push_str(said);
            rest = &rest[length..];
            continue;
        }
        rest = &rest[c.len_utf8()..];
        match c {
            '*' | '`' | '~' | '\\' => {}
            '_' | '|' => plain.push(' '),
            _ if is_emoji(c) => plain.push(' '),
            _ => plain.push(c),
        }
    }
}

/// `[label](address)`: the label and what follows.
fn link(text: &str) -> Option<(&str, &str)> {
    let (label, rest) = text.strip_prefix('[')?.split_once("](")?;
    let (_, after) = rest.split_once(')')?;
    (!label.contains(['[', ']'])).then_some((label, after))
}

/// The length of a tag such as `<b>` or `<break time="1s"/>`.
fn tag(text: &str) -> Option<usize> {
    let end = text.find('>')?;
    let first = text.chars().nth(1)?;
    (end < 80 && (first.is_ascii_alphabetic() || first == '/')).then_some(end + 1)
}

fn entity(text: &str) -> Option<(&'static str, usize)> {
    [("&amp;", "&"), ("&nbsp;", " "), ("&lt;", " "), ("&gt;", " "), ("&quot;", "\""), ("&#39;", "'")]
        .into_iter()
        .find(|(name, _)| text.starts_with(name))
        .map(|(name, said)| (said, name.len()))
}

fn is_emoji(c: char) -> bool {
    matches!(
        c,
        '\u{1f000}'..='\u{1faff}'
            | '\u{2600}'..='\u{27bf}'
            | '\u{2190}'..='\u{21ff}'
            | '\u{2300}'..='\u{23ff}'
            | '\u{2b00}'..='\u{2bff}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{200d}'
            | '\u{20e3}'
            | '\u{e0020}'..='\u{e007f}'
    )
}
