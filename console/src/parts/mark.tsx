/** Three bars, and the line at two seconds that none of them crosses. */
export function Mark() {
  return (
    <svg className="mark" viewBox="0 0 20 20" width="20" height="20" aria-hidden="true" focusable="false">
      <rect x="0" y="3" width="8" height="3" />
      <rect x="0" y="8.5" width="13" height="3" />
      <rect x="0" y="14" width="10" height="3" />
      <rect className="mark-line" x="17" y="0" width="2" height="20" />
    </svg>
  )
}
