//! Reading the head of an answer where ureq does not: before the request is written, and when it finds something wrong with the headers.
//!
//! A status line that was read is an answer, no matter what follows it.

use crate::port::Header;

/// Whether the input starts with the status line of a final answer, and its status. Interim answers (1xx) before it are skipped.
pub(super) fn final_status(input: &[u8]) -> Option<u16> {
    final_head(input).map(|(status, _)| status)
}

/// Status and headers of the final answer that the input starts with; none until its head is complete. Lines that are not headers are left
/// out.
pub(super) fn read_head(input: &[u8]) -> Option<(u16, Vec<Header>)> {
    let (status, head) = final_head(input)?;
    let lines = head[..end_of_head(head)?].split(|byte| *byte == b'\n').skip(1);
    Some((status, lines.filter_map(header).collect()))
}

/// Whether the input starts with an incomplete head.
pub(super) fn is_partial(input: &[u8]) -> bool {
    match (status(input), end_of_head(input)) {
        (Some(status), Some(end)) => is_interim(status) && is_partial(&input[end..]),
        (Some(_), None) => true,
        (None, _) => false,
    }
}

/// The status of the final answer, and the input from its status line on.
fn final_head(mut input: &[u8]) -> Option<(u16, &[u8])> {
    loop {
        match status(input)? {
            status if is_interim(status) => input = &input[end_of_head(input)?..],
            status => return Some((status, input)),
        }
    }
}

/// Switching protocols is final: what follows is not HTTP.
fn is_interim(status: u16) -> bool {
    matches!(status, 100 | 102..=199)
}

/// `HTTP/1.`, a digit, a space, three digits, and then the end of that word.
fn status(input: &[u8]) -> Option<u16> {
    let [minor, b' ', code @ ..] = input.strip_prefix(b"HTTP/1.")? else { return None };
    let (code, rest) = code.split_at_checked(3)?;
    let is_whole = rest.first().is_none_or(|next| matches!(next, b' ' | b'\r' | b'\n'));
    let status = str::from_utf8(code).ok()?.parse().ok()?;
    (minor.is_ascii_digit() && code.iter().all(u8::is_ascii_digit) && is_whole && status >= 100).then_some(status)
}

/// Where the body begins: after the first empty line. A line may end without CR (RFC 9112, section 2.2).
fn end_of_head(input: &[u8]) -> Option<usize> {
    let is_empty_line = |at: usize| input[..at].ends_with(b"\n") || input[..at].ends_with(b"\n\r");
    (0..input.len()).find(|at| input[*at] == b'\n' && is_empty_line(*at)).map(|at| at + 1)
}

fn header(line: &[u8]) -> Option<Header> {
    let colon = line.iter().position(|byte| *byte == b':')?;
    let name = str::from_utf8(&line[..colon]).ok()?;
    let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_graphic());
    is_name.then(|| Header::new(name.to_ascii_lowercase(), String::from_utf8_lossy(line[colon + 1..].trim_ascii())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_is_known_as_soon_as_its_digits_are_there() {
        let rows: [(&[u8], Option<u16>); 18] = [
            (b"HTTP/1.1 202 Accepted\r\n", Some(202)),
            (b"HTTP/1.1 204\n", Some(204)),
            (b"HTTP/1.1 2000 OK\r\n", None),
            (b"HTTP/1.1 200OK\r\n", None),
            (b"HTTP/1.12200 OK\r\n", None),
            (b"HTTP/1.x 204\r\n", None),
            (b"HTTP/1.1_204\r\n", None),
            (b"HTTP/1.0 413", Some(413)),
            (b"HTTP/1.1 999\r\n\r\n", Some(999)),
            (b"HTTP/1.1 101 Switching Protocols\r\n\r\n", Some(101)),
            (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\nHTTP/1.1 503", Some(503)),
            (b"HTTP/1.1 100 Continue\r\n\r\n", None),
            (b"HTTP/1.1 103 Early Hints\r\nlink: 200", None),
            (b"HTTP/1.1 20", None),
            (b"HTTP/1.1 099 Low\r\n\r\n", None),
            (b"HTTP/1.1 +20 Odd\r\n\r\n", None),
            (b"HTTP/2 200\r\n\r\n", None),
            (b"", None),
        ];
        for (input, status) in rows {
            assert_eq!(final_status(input), status, "{}", String::from_utf8_lossy(input));
        }
    }

    #[test]
    fn a_head_is_partial_until_its_empty_line() {
        let rows: [(&[u8], bool); 10] = [
            (b"HTTP/1.1 202 Accepted\nx: y\n", true),
            (b"HTTP/1.1 202 Accepted\nx: y\n\n", false),
            (b"HTTP/1.1 202 Accepted\r\nx: y\r\n", true),
            (b"HTTP/1.1 103 Early Hints\r\n", true),
            (b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\n", true),
            (b"HTTP/1.1 202 Accepted\r\nx: y\r\n\r\nHTTP/1.1 200", false),
            (b"HTTP/1.1 103 Early Hints\r\n\r\n", false),
            (b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\n\r\n", false),
            (b"SSH-2.0 what is this\r\n", false),
            (b"", false),
        ];
        for (input, partial) in rows {
            assert_eq!(is_partial(input), partial, "{}", String::from_utf8_lossy(input));
        }
    }

    #[test]
    fn headers_are_read_once_the_head_is_complete() {
        let head = b"HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\nHTTP/1.1 429 Slow\r\nRetry-After:  7 \r\nx: a:b\r\nno header\r\n: no name\r\n\r\nbody: 1";
        let headers = vec![Header::new("retry-after", "7"), Header::new("x", "a:b")];
        assert_eq!(read_head(head), Some((429, headers)));
        assert_eq!(read_head(&head[..head.len() - 9]), None);
        assert_eq!(read_head(b"nonsense\r\n\r\n"), None);
    }
}
