# Who may link whom. A name is a folder under src/ (or proto); what is not written here is refused
# by portunus_library() at configure time and by tests/lint/check_layers.py in the includes.
# docs/architecture.md explains the picture.

set(PORTUNUS_COMMON base log net async crypto model)

set(PORTUNUS_LAYERS
  proto base log net datagrams crypto async name_lookup model config completion command_line wire
  dataplane_reactor dataplane_stats dataplane_limits dataplane_quota dataplane_owners dataplane_dns
  dataplane_proxy_protocol dataplane_sni dataplane_failover dataplane_rules dataplane_tcp
  dataplane_udp dataplane_forwarder standalone
  server_store server_http server_audit server_auth server_web_auth server_rules server_owner_caps
  server_quotas server_people server_traffic
  server_control server_metrics server_http_api server_app server_cli
  client_agent client_app client_cli
  portal_protocol portal_log portal_config portal_credentials portal_relay portal_tls portal_quic
  portal_server portal_client portal_client_forwarder portal_cli)

set(PORTUNUS_LAYER_proto "")
set(PORTUNUS_LAYER_base "")
set(PORTUNUS_LAYER_log base)
set(PORTUNUS_LAYER_net base)
set(PORTUNUS_LAYER_datagrams net base)
set(PORTUNUS_LAYER_crypto net base)
set(PORTUNUS_LAYER_async log base)
set(PORTUNUS_LAYER_name_lookup async net base)
set(PORTUNUS_LAYER_model net base)
set(PORTUNUS_LAYER_config model crypto log net base)
set(PORTUNUS_LAYER_completion base)
set(PORTUNUS_LAYER_command_line completion base)
set(PORTUNUS_LAYER_wire proto model base net)

set(PORTUNUS_LAYER_dataplane_reactor ${PORTUNUS_COMMON})
set(PORTUNUS_LAYER_dataplane_stats ${PORTUNUS_COMMON})
set(PORTUNUS_LAYER_dataplane_limits ${PORTUNUS_COMMON})
set(PORTUNUS_LAYER_dataplane_quota ${PORTUNUS_COMMON})
set(PORTUNUS_LAYER_dataplane_owners dataplane_limits dataplane_quota ${PORTUNUS_COMMON})
set(PORTUNUS_LAYER_dataplane_dns ${PORTUNUS_COMMON})
set(PORTUNUS_LAYER_dataplane_proxy_protocol ${PORTUNUS_COMMON})
set(PORTUNUS_LAYER_dataplane_sni ${PORTUNUS_COMMON})
set(PORTUNUS_LAYER_dataplane_failover dataplane_dns ${PORTUNUS_COMMON})
set(PORTUNUS_LAYER_dataplane_rules
  dataplane_owners dataplane_limits dataplane_quota dataplane_failover dataplane_dns dataplane_stats
  ${PORTUNUS_COMMON})
set(PORTUNUS_DATAPLANE_PARTS
  dataplane_reactor dataplane_rules dataplane_owners dataplane_limits dataplane_quota
  dataplane_failover dataplane_dns dataplane_stats)
set(PORTUNUS_LAYER_dataplane_tcp
  dataplane_proxy_protocol dataplane_sni ${PORTUNUS_DATAPLANE_PARTS} ${PORTUNUS_COMMON})
set(PORTUNUS_LAYER_dataplane_udp datagrams ${PORTUNUS_DATAPLANE_PARTS} ${PORTUNUS_COMMON})
set(PORTUNUS_LAYER_dataplane_forwarder
  dataplane_tcp dataplane_udp dataplane_sni datagrams ${PORTUNUS_DATAPLANE_PARTS} ${PORTUNUS_COMMON})

set(PORTUNUS_LAYER_standalone dataplane_forwarder command_line config ${PORTUNUS_COMMON})

set(PORTUNUS_LAYER_server_store ${PORTUNUS_COMMON})
set(PORTUNUS_LAYER_server_http ${PORTUNUS_COMMON})
set(PORTUNUS_LAYER_server_audit server_store ${PORTUNUS_COMMON})
set(PORTUNUS_LAYER_server_auth server_store ${PORTUNUS_COMMON})
set(PORTUNUS_LAYER_server_web_auth server_auth server_store ${PORTUNUS_COMMON})
set(PORTUNUS_LAYER_server_rules server_store ${PORTUNUS_COMMON})
set(PORTUNUS_LAYER_server_owner_caps server_store ${PORTUNUS_COMMON})
set(PORTUNUS_LAYER_server_quotas server_store ${PORTUNUS_COMMON})
set(PORTUNUS_LAYER_server_people server_store ${PORTUNUS_COMMON})
set(PORTUNUS_LAYER_server_traffic server_store ${PORTUNUS_COMMON})
set(PORTUNUS_SERVER_DOMAIN
  server_audit server_auth server_rules server_owner_caps server_quotas server_people)
set(PORTUNUS_LAYER_server_control ${PORTUNUS_SERVER_DOMAIN} wire proto ${PORTUNUS_COMMON})
# store only for its row types, its error codes and its probe; what to do is asked of the domain.
set(PORTUNUS_LAYER_server_metrics
  server_http ${PORTUNUS_SERVER_DOMAIN} server_control server_store ${PORTUNUS_COMMON})
set(PORTUNUS_LAYER_server_http_api
  server_http server_web_auth ${PORTUNUS_SERVER_DOMAIN} server_traffic server_control
  server_metrics server_store ${PORTUNUS_COMMON})
set(PORTUNUS_LAYER_server_app
  server_store server_http server_web_auth ${PORTUNUS_SERVER_DOMAIN} server_traffic server_control
  server_metrics server_http_api config ${PORTUNUS_COMMON})
# http only for its URL encoding.
set(PORTUNUS_LAYER_server_cli
  server_app server_auth server_web_auth server_rules server_store server_http command_line completion
  name_lookup config ${PORTUNUS_COMMON})

set(PORTUNUS_LAYER_client_agent
  dataplane_forwarder dataplane_stats wire proto name_lookup config ${PORTUNUS_COMMON})
set(PORTUNUS_LAYER_client_app client_agent dataplane_forwarder config ${PORTUNUS_COMMON})
set(PORTUNUS_LAYER_client_cli client_app client_agent command_line config ${PORTUNUS_COMMON})

set(PORTUNUS_LAYER_portal_protocol ${PORTUNUS_COMMON})
set(PORTUNUS_LAYER_portal_log ${PORTUNUS_COMMON})
set(PORTUNUS_LAYER_portal_config portal_log config ${PORTUNUS_COMMON})
set(PORTUNUS_LAYER_portal_credentials config ${PORTUNUS_COMMON})
set(PORTUNUS_LAYER_portal_relay
  portal_protocol portal_log dataplane_dns dataplane_limits dataplane_reactor ${PORTUNUS_COMMON})
set(PORTUNUS_LAYER_portal_tls portal_relay portal_credentials portal_protocol ${PORTUNUS_COMMON})
set(PORTUNUS_LAYER_portal_quic
  portal_relay portal_credentials portal_protocol dataplane_reactor datagrams ${PORTUNUS_COMMON})
set(PORTUNUS_LAYER_portal_server
  portal_quic portal_tls portal_relay portal_credentials portal_config portal_log portal_protocol
  dataplane_dns ${PORTUNUS_COMMON})
set(PORTUNUS_LAYER_portal_client
  portal_quic portal_tls portal_relay portal_credentials portal_config portal_log portal_protocol
  dataplane_dns ${PORTUNUS_COMMON})
set(PORTUNUS_LAYER_portal_client_forwarder portal_client portal_relay ${PORTUNUS_COMMON})
set(PORTUNUS_LAYER_portal_cli
  portal_server portal_client_forwarder portal_client portal_relay portal_config portal_log
  portal_protocol dataplane_dns command_line config ${PORTUNUS_COMMON})

# portunus_check_edges(<library> <dependency>…): every dependency must stand in the table.
function(portunus_check_edges name)
  if(NOT name IN_LIST PORTUNUS_LAYERS)
    message(FATAL_ERROR "${name} is not a layer; add it to cmake/Layers.cmake")
  endif()
  foreach(dep IN LISTS ARGN)
    if(NOT dep IN_LIST PORTUNUS_LAYER_${name})
      message(FATAL_ERROR "layering: ${name} may not use ${dep} (cmake/Layers.cmake)")
    endif()
  endforeach()
endfunction()

# Called last: the table itself must be free of cycles, or "downward" would mean nothing.
function(portunus_check_layers)
  set(settled "")
  set(open ${PORTUNUS_LAYERS})
  while(open)
    set(next "")
    foreach(name IN LISTS open)
      set(ready TRUE)
      foreach(dep IN LISTS PORTUNUS_LAYER_${name})
        if(NOT dep IN_LIST settled)
          set(ready FALSE)
        endif()
      endforeach()
      if(ready)
        list(APPEND settled ${name})
      else()
        list(APPEND next ${name})
      endif()
    endforeach()
    if(next STREQUAL open)
      message(FATAL_ERROR "layering: cycle or unknown name among: ${open}")
    endif()
    set(open ${next})
  endwhile()
endfunction()
